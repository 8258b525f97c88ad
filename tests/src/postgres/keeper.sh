# Keeps one PostgreSQL cluster for a test process, and removes it when that process is gone, however it went: the end
# of our standard input is the end of the one who writes to it. Orders come line by line, each is answered by a line.
bin=$1
dir=$2
pid=
trap '' PIPE

finish() {
    if [ -n "$pid" ]; then
        kill "-$1" "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
        pid=
    fi
}

while read -r order; do
    case $order in
    init)
        if "$bin/initdb" --no-sync --auth=trust --username=flyball --encoding=UTF8 --locale=C.UTF-8 \
            --pgdata="$dir/data" </dev/null >"$dir/log" 2>&1; then echo made; else echo failed; fi
        ;;
    start)
        finish QUIT
        "$bin/postgres" -D "$dir/data" </dev/null >>"$dir/log" 2>&1 &
        pid=$!
        echo "$pid"
        ;;
    KILL | QUIT | INT)
        finish "$order"
        echo ended
        ;;
    esac
done

finish QUIT
# The backends of a killed postmaster may need a moment to notice, and write until then.
tries=0
until rm -rf "$dir" 2>/dev/null || [ "$tries" -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
