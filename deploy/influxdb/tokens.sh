#!/bin/sh
# Two tokens for the bucket alone: the service reads and writes it, Grafana reads it. The image
# runs this once, when it has set up an empty data directory, beside an InfluxDB that nobody else
# can reach yet. The administrator's token stays with whoever keeps deploy/secrets.
set -eu

bucket=$DOCKER_INFLUXDB_INIT_BUCKET_ID
into=${TOKENS:-/run/tokens}

make() {
    file=$1
    what=$2
    shift 2
    token=$(influx auth create --org-id "$DOCKER_INFLUXDB_INIT_ORG_ID" --description "$what" \
        --json "$@" | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
    if [ -z "$token" ]; then
        echo "influx auth create gave no token for: $what" >&2
        exit 1
    fi
    # Written in place: the others have this very file mounted.
    printf '%s\n' "$token" >"$file"
}

make "$into/songtien" "songtien: reads and writes its bucket" \
    --read-bucket "$bucket" --write-bucket "$bucket"
make "$into/grafana" "grafana: reads the bucket" --read-bucket "$bucket"
