# Runs one server in one folder for as long as its starter lives.
#
#     sh watchdog.sh FOLDER USER SIGNAL OWNER COMMAND...
#
# It creates FOLDER with two folders of mode 0700 inside: `data`, in which
# COMMAND runs, and `control`, in which the watchdog keeps its own files. With a
# USER, a "uid:gid", `data` belongs to that user, who can write nowhere else: a
# link that the user plants is never followed.
#
# A line on stdin is an order: "start", "stop", or the name of a signal for the
# server. The end of stdin is an order to stop, because it comes however the
# starter ends, also by SIGKILL; with an OWNER, a process id, the server stays
# until that process is gone as well. At the stop the server gets SIGNAL and the
# folder is removed.
folder=$1 user=$2 signal=$3 owner=$4
shift 4
mode=700
[ -z "$user" ] || mode=711
mkdir -m "$mode" "$folder" || exit
mkdir -m 700 "$folder/control" "$folder/data" || exit
[ -z "$user" ] || chown "$user" "$folder/data"
cd "$folder/control" || exit
exec 2>>log

# A dead owner that nobody has waited for still answers to kill -0, but it is
# nobody's parent any more.
owned() {
  if [ -r "/proc/$$/stat" ]; then
    read -r _ _ _ parent _ <"/proc/$$/stat"
  else
    parent=$(ps -o ppid= -p $$)
  fi
  [ "$parent" -eq "$owner" ]
}

# Every process of the server holds the pipe open: its end means that the last
# of them is gone. Opening it both ways first keeps the other two from waiting
# for each other.
start() {
  mkfifo alive
  exec 7<>alive 8<alive 9>alive 7>&-
  rm alive
  (cd ../data && exec "$@") </dev/null >>log 2>&1 8<&- &
  server=$!
  { cat <&8 >/dev/null && : >exited; } 9>&- &
  exec 8<&- 9>&-
}

order=
server=
while read -r order; do
  case $order in
  start) start "$@" ;;
  stop) break ;;
  *) kill -s "$order" "$server" ;;
  esac
done

while [ "$order" != stop ] && [ -n "$owner" ] && owned; do
  sleep 0.2
done
# A server that is still being set up ignores SIGQUIT, as every command that the
# shell starts in the background does.
until [ -z "$server" ] || [ -e exited ]; do
  kill -s "$signal" "$server"
  sleep 0.02
done
wait
cd /
rm -rf "$folder"
