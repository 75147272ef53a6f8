{#- A name as a hint takes it: part by part, with backticks around a part that is no plain word or that
    Spark reads as one of its own. -#}
{% macro penstock__quoted_name(name) %}
    {%- set spoken_for = [
        'all', 'and', 'anti', 'as', 'case', 'cast', 'cross', 'distinct', 'else', 'end', 'except', 'exists',
        'false', 'from', 'full', 'group', 'having', 'in', 'inner', 'intersect', 'interval', 'is', 'join',
        'lateral', 'left', 'minus', 'natural', 'not', 'null', 'on', 'or', 'order', 'outer', 'right',
        'select', 'semi', 'some', 'table', 'then', 'true', 'union', 'using', 'values', 'when', 'where', 'with'
    ] -%}
    {%- set parts = [] -%}
    {%- for part in name.split('.') -%}
        {%- set plain = part.isidentifier() and part.isascii() and part | lower not in spoken_for -%}
        {%- do parts.append(part if plain else '`' ~ part.replace('`', '``') ~ '`') -%}
    {%- endfor -%}
    {{- return(parts | join('.')) -}}
{% endmacro %}
