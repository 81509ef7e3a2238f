#!/bin/sh
# Stands in for OpenTofu: a plan of a stack makes one object, one of `loses` destroys one, and an apply puts
# an output into the state, which is kept beside what `init` would bring.
state=$TF_DATA_DIR/../state
case "$1" in
init) mkdir -p "$TF_DATA_DIR" ;;
state) test ! -e "$state" || cat "$state" ;;
plan)
    for word; do
        case "$word" in -out=*) : > "${word#-out=}" ;; esac
    done
    ;;
show)
    case "$PWD" in
    */loses*) action=delete ;;
    *) action=create ;;
    esac
    echo '{"resource_changes": [{"address": "x.a", "type": "x", "mode": "managed", "change": {"actions": ["'$action'"]}}]}'
    ;;
apply) echo '{"lineage": "l", "serial": 1, "outputs": {"o": {"value": "v"}}}' > "$state" ;;
esac
