# How each program is built that is shipped: sourced by build and program, from the project's folder.

package="$PWD/target/package"
host="$(rustc -vV | sed -n 's/^host: //p')"
declare -A features=([coldhearth]=agent,serial [coldhearth-regulator]=regulator [coldhearth-sim]="")
declare -A crate=([coldhearth]=coldhearth [coldhearth-regulator]=coldhearth [coldhearth-sim]=coldhearth-sim)

# Paths of this machine stand in messages of panics and in what C compilers note down; later prefixes win. Of SQLite's
# extensions none is used, and C that nothing unwinds needs no tables for that. The target is named so that macros and build
# scripts are spared all of it.
shipped_flags() {
  local home="${CARGO_HOME:-$HOME/.cargo}"
  export CARGO_TARGET_DIR="${COLDHEARTH_BUILD:-$package/build}" CARGO_INCREMENTAL=0
  export RUSTFLAGS="--remap-path-prefix=$home=/cargo --remap-path-prefix=$PWD=/coldhearth --remap-path-prefix=$CARGO_TARGET_DIR=/build"
  export CFLAGS="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$PWD=/coldhearth -ffile-prefix-map=$CARGO_TARGET_DIR=/build -fno-asynchronous-unwind-tables"
  export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE -USQLITE_SOUNDEX -USQLITE_ENABLE_DBSTAT_VTAB"
}
