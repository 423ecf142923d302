#!/bin/bash
# healthcheck.sh <port> <path>: does 127.0.0.1 answer 200? Bash alone, for it runs in every container all the time.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r -t 5 _ status _ <&3
[[ $status == 200 ]]
