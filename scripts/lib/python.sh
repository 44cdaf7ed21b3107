# Finds a CPython 3.14 that Home Assistant accepts, or gets one below .cache. Sourced; sets PYTHON_BIN.
# Needs common.sh and uv.sh.

PYTHON_BIN=
DEBIAN_PYTHON=$CACHE/python/debian

python_fits() {
  [ -n "$1" ] && "$1" - >/dev/null 2>&1 <<'PY'
import sys, ssl, sqlite3, ctypes, lzma, bz2, zlib, venv, compression.zstd
assert (3, 14, 2) <= sys.version_info < (3, 15)
assert sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
PY
}

uv_python() { "$UV" python find --managed-python --no-python-downloads 3.14 2>/dev/null; }

# Its path is baked in: one that was copied or moved here along with the checkout does not count.
debian_python_fits() {
  [ "$(cat "$DEBIAN_PYTHON/.path" 2>/dev/null)" = "$DEBIAN_PYTHON" ] &&
    python_fits "$DEBIAN_PYTHON/bin/python3.14"
}

find_python() {
  if [ -n "${PYTHON:-}" ] && ! python_fits "$PYTHON"; then
    say "PYTHON=$PYTHON is no CPython 3.14.2 or later 3.14; looking for another"
  fi
  local candidate
  for candidate in "${PYTHON:-}" python3.14 python3; do
    if python_fits "$candidate"; then
      PYTHON_BIN=$("$candidate" -c 'import sys; print(sys.executable)')
      return
    fi
  done
  PYTHON_BIN=$(uv_python) && python_fits "$PYTHON_BIN" && return
  PYTHON_BIN=$DEBIAN_PYTHON/bin/python3.14
  debian_python_fits && return
  if UV_HTTP_RETRIES=1 STEP_TAIL=1 step "Downloading CPython 3.14 with uv" "$UV" python install --no-progress 3.14; then
    PYTHON_BIN=$(uv_python) && python_fits "$PYTHON_BIN" && return
  fi
  PYTHON_BIN=$DEBIAN_PYTHON/bin/python3.14
  if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    say "uv cannot download it here; taking Debian's packages instead"
    step "Unpacking Debian's CPython 3.14" \
      env UV="$UV" bash "$ROOT/scripts/lib/debian_python.sh" "$DEBIAN_PYTHON" &&
      debian_python_fits && return
  fi
  die "no CPython 3.14.2 to be had: install one and run again, or name it: PYTHON=/path/to/python3.14 $0"
}
