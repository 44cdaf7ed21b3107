"""What a call asks for, checked before anything is sent."""
