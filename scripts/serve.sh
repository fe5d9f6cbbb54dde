# shellcheck shell=bash
# Sourced by scripts/run and scripts/run-postgres: a vitalcached in the foreground, awaited by its log.

# serve_start COMMAND...: starts it; its log is passed on as it comes. Its line "ready" is the event that we wait for.
# False when it ended without one: then `serve_older` says whether its data is of an older release. Sets `server`, the
# process id; `work` must be a folder of ours.
serve_start() {
        local line ready=""
        serve_older=""
        mkfifo "$work/log"
        "$@" 2>"$work/log" &
        server=$!
        exec 3<"$work/log"
        while [[ -z $ready ]] && IFS= read -r line <&3; do
                echo "$line"
                [[ $line == *" info ready"* ]] && ready=yes
                [[ $line == *"run: vitalcache upgrade"* ]] && serve_older=yes
        done
        [[ -n $ready ]] || return 1
        cat <&3 &
}

# Asks it to stop, if there is one.
serve_stop() { [[ -z ${server:-} ]] || kill -TERM "$server" 2>/dev/null || true; }

# Waits for its end; its exit code. A signal ends the first wait; the second one gets the server's own code.
serve_wait() { wait "$server" || wait "$server"; }
