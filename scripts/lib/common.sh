# Shared by the scripts beside this folder: paths, messages, timed steps. Sourced.
# Kept to what bash 3.2 knows, which is what macOS has.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CACHE=$ROOT/.cache
cd "$ROOT"

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# Print the comment that heads the script when its first argument asks for help.
help_on_request() {
  case ${1:-} in
    -h | --help) awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"; exit 0 ;;
  esac
}

# step TEXT COMMAND…: run it quietly, one line with a dot every few seconds and how
# long it took; what it printed is shown only when it fails (its last STEP_TAIL lines).
step() {
  local text=$1 log start=$SECONDS pulse status=0
  shift
  log=$(mktemp)
  printf '%s ' "$text" >&2
  (while sleep 3; do printf '.' >&2; done) 9>&- &
  pulse=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$pulse" 2>/dev/null
  wait "$pulse" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then
    printf ' %s s\n' "$((SECONDS - start))" >&2
  else
    printf ' failed after %s s\n' "$((SECONDS - start))" >&2
    tail -n "${STEP_TAIL:-40}" "$log" | sed 's/^/  | /' >&2
  fi
  rm -f "$log"
  return "$status"
}

# Install Debian packages, or say what to do where that is not possible.
need_debian_packages() {
  command -v apt-get >/dev/null || die "please install: $*"
  [ "$(id -u)" -eq 0 ] || die "please run as root: apt-get install $*"
  step "Installing $*" apt_install "$@" || die "apt-get could not install: $*"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "$@" ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }
}
