{% macro coalesce() %}
    {{- return(partition_hint('coalesce', varargs, columns=false)) -}}
{% endmacro %}
