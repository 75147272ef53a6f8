{#- Returns bytes as text in MB. -#}
{% macro penstock__in_megabytes(bytes) %}
    {{- return('%.2f MB' | format((bytes or 0) / 1048576)) -}}
{% endmacro %}
