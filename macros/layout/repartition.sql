{% macro repartition(partitions) %}
    {%- if partitions is not integer or partitions is boolean or partitions < 1 -%}
        {{ exceptions.raise_compiler_error(
            "repartition() takes a number of partitions of at least 1 first and was given '"
            ~ partitions ~ "'; write repartition(8) or repartition(8, 'column')"
        ) }}
    {%- endif -%}
    {%- set columns = [hint_arguments('repartition', varargs)] if varargs else [] -%}
    {{- return('repartition(' ~ ([partitions] + columns) | join(', ') ~ ')') -}}
{% endmacro %}
