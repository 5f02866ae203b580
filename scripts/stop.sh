#!/usr/bin/env bash
# Stop the stack of docker-compose.yaml. Data is kept unless a person says otherwise.
#   scripts/stop.sh                  asks in a terminal whether to delete the data; elsewhere keeps it
#   scripts/stop.sh --wipe           deletes it after asking
#   scripts/stop.sh --wipe --yes     deletes it
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

wipe=ask yes=no
for argument in "$@"; do
  case $argument in
    --wipe) wipe=yes ;;
    --yes) yes=yes ;;
    *) say "stop.sh: $argument is not an option; there are --wipe and --yes"; exit 2 ;;
  esac
done
if [ "$yes" = yes ] && [ "$wipe" != yes ]; then
  say "stop.sh: --yes answers the question of --wipe"
  exit 2
fi

# All volumes or none: the offsets in PostgreSQL belong to the topics in Kafka, and the seals to the log.
volumes=()
if [ "$yes" = yes ]; then
  volumes=(--volumes)
elif [ -t 0 ]; then
  printf 'Delete every payment, alert and event as well (volumes kafka, postgres, home)? [y/N] ' >&2
  read -r answer || answer=
  case $answer in
    y | Y | yes | Yes | YES) volumes=(--volumes) ;;
    *) if [ "$wipe" = yes ]; then say "nothing was stopped or deleted"; exit 1; fi ;;
  esac
elif [ "$wipe" = yes ]; then
  say "stop.sh: --wipe deletes every payment, alert and event: say --yes to mean it"
  exit 1
fi

docker compose --profile terminal down --remove-orphans ${volumes[@]+"${volumes[@]}"}
if [ ${#volumes[@]} -gt 0 ]; then say "stopped; the data is deleted"; else say "stopped; the data is kept"; fi
