#!/bin/sh
# A machine for a test: Debian's systemd as the first process of namespaces of its own, on the files of this machine, with
# every change in memory and the network of this machine. Nothing is left when it ends. Needs root.
#
#   boot-systemd.sh FOLDER PROJECT   FOLDER is empty; PROJECT is seen in the machine as /usr/local/lib/hmac-file-server
set -eu

boot() { # in namespaces of its own: builds the file system and becomes systemd
  root=$1/root
  mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$root"
  mkdir -p "$root/usr/local/lib/hmac-file-server"
  mount --bind "$2" "$root/usr/local/lib/hmac-file-server"
  mount -t proc proc "$root/proc"
  mount -o bind,ro "$root/proc/sys" "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  for folder in dev/shm run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$folder"; done
  chmod 755 "$root/run"
  mkdir "$root/before"
  cd "$root"
  pivot_root . before
  umount -l /before
  # Credentials of services reach them by this.
  mount --make-rshared /
  export container=test
  exec /lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=false </dev/null
}

if [ "$1" = --boot ]; then boot "$2" "$3"; fi

mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/root" "$1/upper" "$1/work" "$1/cgroup"
mount -t cgroup2 cgroup2 "$1/cgroup"
own="$1/cgroup/$(basename "$1")"
mkdir "$own"
# The machine lives in the group; this shell waits outside of it, and takes it away.
unshare --mount --pid --fork --kill-child --ipc --uts sh -c '
  echo 0 >"$1/cgroup.procs"
  exec unshare --cgroup sh "$2" --boot "$3" "$4"
' sh "$own" "$0" "$1" "$2" || true
find "$own" -depth -type d -exec rmdir {} \;
