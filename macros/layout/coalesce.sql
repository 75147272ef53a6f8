{% macro coalesce() %}
    {{- return(penstock__partition_hint('coalesce', varargs, columns=false)) -}}
{% endmacro %}
