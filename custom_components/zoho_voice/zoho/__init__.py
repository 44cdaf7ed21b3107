"""Talk to Zoho: its accounts servers and Zoho Voice's SMS API.

Nothing in here knows of Home Assistant.
"""
