#!/bin/sh
# Takes the first queue on the shared disk that nobody holds, and sends what is in it and what comes.
#
# There are as many queues as there are copies. Whoever holds a queue's lock is its only sender; a copy that
# ends lets go of it, and the copy after it goes on with the same mails.
#
#   QUEUES           the folder of the queues; QUEUE_COUNT: how many there are
#   MAIN_CF, MASTER_CF, HEADER_CHECKS, TLS_POLICIES    Postfix's files; @QUEUE@, @RUN@ are filled in
#   WAYS             a line for each provider with a password: NEXT_HOP USER_VARIABLE PASSWORD_VARIABLE
#   RUN              a folder of this copy's own, for sockets and settings
set -eu
umask 022
: "${QUEUES:=/queues}" "${QUEUE_COUNT:=2}" "${RUN:=/run/relay}"

take() {
    while :; do
        number=0
        while [ "$number" -lt "$QUEUE_COUNT" ]; do
            queue=$QUEUES/$number
            mkdir -p "$queue"
            exec 9>"$queue.lock"
            if flock --nonblock 9; then
                return
            fi
            number=$((number + 1))
        done
        sleep 1
    done
}

file() { printf '%s' "$2" | sed -e "s|@QUEUE@|$queue|g" -e "s|@RUN@|$RUN|g" >"$RUN/etc/$1"; }

settings() {
    mkdir -p "$RUN/etc"
    file main.cf "$MAIN_CF"
    file master.cf "$MASTER_CF"
    file header_checks "$HEADER_CHECKS"
    file tls "$TLS_POLICIES"
    (
        umask 077
        printf '%s\n' "${WAYS:-}" | while read -r hop user password; do
            [ -z "$hop" ] || printenv "$user" "$password" | paste -s -d: - | sed "s|^|$hop |"
        done >"$RUN/etc/passwords"
    )
}

# Sockets are this copy's own and never lie on the shared disk; what the copy before ran as is no matter.
folders() {
    install -d -m 700 -o postfix -g postfix "$RUN/lib" "$RUN/private"
    install -d -m 710 -o postfix -g postdrop "$RUN/public"
    rm -rf "${queue:?}/private" "$queue/public" "$queue/pid"
    ln -s "$RUN/private" "$RUN/public" "$queue"
    chown -h postfix:postfix "$queue/private"
    chown -h postfix:postdrop "$queue/public"
}

take
echo "sends from queue $number of $QUEUE_COUNT"
settings
folders
postfix -c "$RUN/etc" start-fg 9>&- &
sender=$!
trap 'postfix -c "$RUN/etc" stop 9>&- || true' TERM INT
while kill -0 "$sender" 2>/dev/null; do
    wait "$sender" || true
done
