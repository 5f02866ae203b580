#!/usr/bin/env bash
# Start the stack of docker-compose.yaml and wait for it. The first time a password is generated into .env.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

if ! docker compose version >/dev/null 2>&1; then
  say "start.sh: \`docker compose\` is needed (Docker with Compose v2); without Docker: make run"
  exit 3
fi
if [ ! -e .env ]; then
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && sed "s/^POSTGRES_PASSWORD=.*/POSTGRES_PASSWORD=$password/" .env.sample > .env)
  say "generated a password for PostgreSQL into .env (readable by you alone)"
fi

docker compose up --detach --build --remove-orphans "$@"
docker compose ps
say
say "control center:  docker compose run --rm -it control-center"
say "ksqlDB prompt:   docker compose run --rm -it ksqldb-cli"
say "Kafka UI:        http://127.0.0.1:8080"
say "stop:            scripts/stop.sh"
