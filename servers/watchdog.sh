# Runs one server in one folder for as long as its starter lives.
#
#     sh watchdog.sh FOLDER USER SIGNAL OWNER COMMAND...
#
# It makes FOLDER, which belongs to USER, a "uid:gid", if there is one. A line
# on stdin is an order: "start", "stop", or the name of a signal for the server.
# The end of stdin is an order to stop, because it comes however the starter
# ends, by SIGKILL too; with an OWNER, a process id, the server stays until that
# process is gone as well. At the stop the server gets SIGNAL and the folder is
# removed.
folder=$1 user=$2 signal=$3 owner=$4
shift 4
mkdir -m 700 "$folder" || exit
[ -z "$user" ] || chown "$user" "$folder"
cd "$folder" || exit
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
  "$@" </dev/null >>log 2>&1 8<&- &
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
# A server that is still being set up ignores SIGQUIT: the shell has it so for
# every command in the background.
until [ -z "$server" ] || [ -e exited ]; do
  kill -s "$signal" "$server"
  sleep 0.02
done
wait
cd /
rm -rf "$folder"
