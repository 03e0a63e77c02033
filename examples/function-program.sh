#!/bin/sh
# Squares whole numbers: a function that is a program. See docs/protocol.md.
echo '{"ready":{}}' >&4
while IFS= read -r request <&3; do
	rest=${request#'{"id":'}
	id=${rest%%,*}
	input=${rest#*'"input":'}
	input=${input%'}'}
	echo "squaring $input" # for the task's log
	case $input in
	*[!0-9-]*) answer='"error":{"type":"TypeError","message":"not a whole number"}' ;;
	*) answer="\"output\":$(($input * $input))" ;;
	esac
	printf '{"id":%s,%s}\n' "$id" "$answer" >&4
done
