#!/bin/sh
# Builds the library: build.sh FOLDER [FLAG...] leaves libhakuban.so and hakuban.h in the folder; flags are for go build.
#
# libhakuban.a is left there too when STATIC=1. It is one object in which all names but those of the header are hidden, so that it can
# be linked beside anything; link with -lpthread.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
shift
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$here"

# build MODE FILE FLAG...
build() {
	mode=$1 file=$2
	shift 2
	CGO_ENABLED=1 go build -trimpath -buildmode="$mode" -o "$folder/$file" "$@" .
	rm -f "$folder/libhakuban.h" # cgo's, with its own names
}

# -z nodelete: the library cannot be unloaded, as Go cannot.
build c-shared libhakuban.so -ldflags "-s -w -extldflags '-Wl,--version-script=$here/exports.map -Wl,-soname,libhakuban.so -Wl,-z,nodelete'" "$@"
cp ../../include/hakuban.h "$folder/hakuban.h"
[ "${STATIC:-}" = 1 ] || exit 0

build c-archive libhakuban.a -ldflags -w "$@"
cd "$folder"
ld -r -d -o libhakuban.o --whole-archive libhakuban.a
sed -n 's/^\t\(hakuban_.*\);$/\1/p' "$here/exports.map" >exports.txt
objcopy --keep-global-symbols=exports.txt libhakuban.o
rm -f libhakuban.a exports.txt
ar rcs libhakuban.a libhakuban.o
rm -f libhakuban.o
