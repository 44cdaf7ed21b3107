# Finds uv, or installs it below .cache. Sourced; sets UV.

UV_VERSION=0.13.9
UV=

uv_fits() { # new enough to know today's CPython 3.14, and really there (not a dead shim)
  local version
  version=$("$1" --version 2>/dev/null | awk '{ print $2 }') || return 1
  case $version in
    '' | 0.[0-9].*) return 1 ;;
  esac
}

install_uv() {
  rm -rf "$CACHE/uv"
  local python
  for python in python3 python /usr/bin/python3; do
    # --target is allowed on an externally managed Python, too
    if "$python" -m pip --version >/dev/null 2>&1; then
      "$python" -m pip install --quiet --target "$CACHE/uv" "uv==$UV_VERSION"
      return
    fi
  done
  echo "no python3 with pip found: install pip (Debian: apt-get install python3-pip) or uv"
  return 1
}

find_uv() {
  # below the checkout, whatever uv is used
  export UV_PYTHON_INSTALL_DIR="$CACHE/python/uv" UV_PYTHON_INSTALL_BIN=0
  unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT UV_PYTHON
  for UV in "$(command -v uv || true)" "$CACHE/uv/bin/uv"; do
    if [ -n "$UV" ] && uv_fits "$UV"; then return; fi
  done
  step "Installing uv" install_uv || die "uv could not be installed; see above"
  UV=$CACHE/uv/bin/uv
  uv_fits "$UV" || die "the uv just installed does not start: $UV"
}
