#!/bin/bash
# Start a container in its role: metastore, server, executor, or the run of a command.
set -euo pipefail

case "${1:-}" in
  metastore)
    # Other pods connect to this one: Hive's own main class listens on every address.
    class_path="$PENSTOCK_CONFIG:$SPARK_HOME/jars/*"
    for folder in "$PENSTOCK_JARS"/*/; do
      class_path+=":$folder*"
    done
    exec "$JAVA_HOME/bin/java" "-Xmx${METASTORE_HEAP:-1g}" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
      --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED \
      --add-opens=java.base/java.util=ALL-UNNAMED -Djava.io.tmpdir=/tmp \
      -cp "$class_path" \
      org.apache.hadoop.hive.metastore.HiveMetaStore -p "${METASTORE_PORT:-9083}"
    ;;
  server)
    # In the foreground; it stops Spark on SIGTERM. The token comes from the environment.
    : "${PENSTOCK_CONNECT_TOKEN:?needed: the Connect token in PENSTOCK_CONNECT_TOKEN}"
    exec python -m penstock.spark.server.supervisor --root "$PENSTOCK_PROJECT" --target "$PENSTOCK_TARGET"
    ;;
  executor)
    # Spark passes driver, cores and options in the pod's environment; the options are numbered.
    options=()
    count=0
    while name="SPARK_JAVA_OPT_$count"; [ -n "${!name+set}" ]; do
      options+=("${!name}")
      count=$((count + 1))
    done
    exec "$JAVA_HOME/bin/java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
      -cp "${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*" \
      org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
      --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
      --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
      --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
  run)
    # A run always stops its driver at the end, and with it the executors' pods.
    shift
    cd "$PENSTOCK_PROJECT"
    code=0
    "$@" &
    child=$!
    trap 'kill -TERM "$child" 2>/dev/null || true' TERM INT
    wait "$child" || code=$?
    # A signal ends the first wait; the command may still be running.
    while kill -0 "$child" 2>/dev/null; do
      code=0
      wait "$child" || code=$?
    done
    penstock down
    exit "$code"
    ;;
  *)
    echo "penstock: needed: metastore, server, executor or run COMMAND. found: ${1:-nothing}" >&2
    exit 64
    ;;
esac
