#!/usr/bin/env bash
# A small server's day, hurried: a web service and its clients, a database, jobs of cron, monitoring, backups, releases,
# somebody who looks around. Harmless, without network beyond loopback. What comes when is left to chance, seeded.
#
#   workload.sh DIRECTORY SECONDS [SEED]
set -euo pipefail

dir=$1 seconds=$2
RANDOM=${3:-1}
mkdir -p "$dir"/{www,logs,backup,app,repo,conf,spool,data}
cd "$dir"

have() { command -v "$1" >/dev/null 2>&1; }
chance() { [ $((RANDOM % $1)) -eq 0 ]; }
one_of() { local at=$((RANDOM % $#)); shift "$at"; printf '%s\n' "$1"; }

children=()
end() {
    [ "${#children[@]}" -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
    wait || true
}
trap end EXIT

# The service.
for page in $(seq 40); do printf '<h1>%s</h1>\n' "$page" >"www/page$page.html"; done
cat >app/server.py <<'PY'
import http.server, json, os, sqlite3, sys, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        database = sqlite3.connect("data/orders.db")
        database.execute("create table if not exists orders (at, text)")
        database.execute("insert into orders values (?, ?)", (time.time(), body.decode("utf-8", "replace")))
        database.commit()
        database.close()
        with open("spool/%d.json" % time.time_ns(), "w") as file:
            json.dump({"bytes": len(body)}, file)
        self.send_response(201)
        self.end_headers()
    def log_message(self, form, *values):
        with open("logs/access.log", "a") as file:
            file.write("%s %s\n" % (time.time(), form % values))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PY
/usr/bin/python3 app/server.py >logs/server.log 2>&1 &
children+=($!)
until [ -s port ]; do sleep 0.1; done
port=$(cat port)

cat >app/client.py <<'PY'
import sys, urllib.request
port, path = sys.argv[1:3]
data = sys.argv[3].encode() if len(sys.argv) > 3 else None
try:
    urllib.request.urlopen("http://127.0.0.1:%s%s" % (port, path), data, timeout=5).read()
except urllib.error.HTTPError:
    pass
PY
client() { /usr/bin/python3 app/client.py "$port" "$@"; }

# The database, where there is one.
postgres=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1 || true)
if [ -n "$postgres" ] && id postgres >/dev/null 2>&1 && have runuser; then
    mkdir -p pg
    chown postgres pg
    as() { runuser -u postgres -- "$@"; }
    as "$postgres/initdb" -D "$dir/pg/data" -A trust >logs/initdb.log 2>&1
    as "$postgres/postgres" -D "$dir/pg/data" -k "$dir/pg" -c listen_addresses= >logs/postgres.log 2>&1 &
    children+=($!)
    until as "$postgres/pg_isready" -q -h "$dir/pg"; do sleep 0.2; done
    as "$postgres/psql" -q -h "$dir/pg" -c 'create table t (a int, b text)'
    query() {
        case $((RANDOM % 3)) in
        0) as "$postgres/psql" -q -h "$dir/pg" -c "insert into t select g, g::text from generate_series(1, $RANDOM) g" ;;
        1) as "$postgres/psql" -qAt -h "$dir/pg" -c 'select count(*), max(a) from t' ;;
        2) as "$postgres/psql" -q -h "$dir/pg" -c "delete from t where a > $RANDOM" ;;
        esac >/dev/null
    }
    dump() { as "$postgres/pg_dump" -h "$dir/pg" postgres | gzip >"backup/pg-$(date +%s).sql.gz"; }
else
    query() { client "/orders" "select"; }
    dump() { tar -czf "backup/data-$(date +%s).tar.gz" data; }
fi

printf 'level=info\n' >conf/app.conf
git -C repo init -q 2>/dev/null
git -C repo config user.email a@example.org
git -C repo config user.name a

# Often.
web() {
    local _
    for _ in 1 2 3; do client "/www/page$((1 + RANDOM % 45)).html"; done
    if chance 3; then client /orders "{\"order\": $RANDOM}"; fi
}
monitor() {
    { uptime; free; df; cat /proc/loadavg; ps aux | awk '{ s += $3 } END { print s }'; } >>logs/monitor.log
    tail -n 5 logs/access.log | cut -d ' ' -f 2 | sort | uniq -c >/dev/null || true
    id nobody >/dev/null
    stat /etc/passwd >/dev/null
}
spool() {
    find spool -name '*.json' -type f | head -20 | while read -r file; do
        if grep -q bytes "$file"; then mv "$file" data/; fi
    done
    find data -name '*.json' -mmin +2 -delete
}
# Now and then.
rotate() {
    [ -s logs/access.log ] || return 0
    mv logs/access.log "logs/access.log.$(date +%s)"
    find logs -name 'access.log.*' ! -name '*.gz' -exec gzip -f {} +
    find logs -name '*.gz' -mmin +15 -delete
}
release() {
    printf 'VERSION = %s\n' "$RANDOM" >repo/version.py
    printf '#include <stdio.h>\nint main(void) { printf("%%d\\n", %s); return 0; }\n' "$RANDOM" >repo/main.c
    git -C repo add -A
    git -C repo commit -qm "release $RANDOM"
    git -C repo log --oneline | head -3 >/dev/null
    if have cc; then cc -O1 -o app/tool.new repo/main.c && mv app/tool.new app/tool && app/tool >/dev/null; fi
    install -m 755 repo/version.py app/version.py
}
backup() {
    dump
    tar -czf "backup/conf-$(date +%s).tar.gz" conf app /etc/passwd /etc/hosts 2>/dev/null
    sha256sum backup/*.gz >backup/sums
    find backup -name '*.gz' -mmin +10 -delete
}
admin() {
    case $((RANDOM % 6)) in
    0) sed -i "s/level=.*/level=$(one_of info debug warn)/" conf/app.conf ;;
    1) grep -r level conf | wc -l >/dev/null ;;
    2) ls -la /var/log /etc >/dev/null ;;
    3) dpkg -l 2>/dev/null | wc -l >/dev/null ;;
    4) getent passwd root >/dev/null; hostname >/dev/null; date >/dev/null ;;
    5) du -s . >/dev/null; chmod 640 conf/app.conf; ln -sf app.conf conf/current ;;
    esac
}

# Jobs fail on real servers, too.
set +e +o pipefail
until [ "$SECONDS" -ge "$seconds" ]; do
    web
    if chance 2; then query; fi
    if chance 4; then monitor; fi
    if chance 4; then spool; fi
    if chance 12; then rotate; fi
    if chance 15; then admin; fi
    if chance 20; then release; fi
    if chance 25; then backup; fi
    sleep "0.$((RANDOM % 9))"
    sleep $((RANDOM % 4))
done
