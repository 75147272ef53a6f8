{#- Returns a name for a hint, with backticks around each part that isn't a plain identifier or is a
    reserved word. -#}
{% macro penstock__quoted_name(name) %}
    {%- set reserved = [
        'all', 'and', 'anti', 'as', 'case', 'cast', 'cross', 'distinct', 'else', 'end', 'except', 'exists',
        'false', 'from', 'full', 'group', 'having', 'in', 'inner', 'intersect', 'interval', 'is', 'join',
        'lateral', 'left', 'minus', 'natural', 'not', 'null', 'on', 'or', 'order', 'outer', 'right',
        'select', 'semi', 'some', 'table', 'then', 'true', 'union', 'using', 'values', 'when', 'where', 'with'
    ] -%}
    {%- set parts = [] -%}
    {%- for part in name.split('.') -%}
        {%- set plain = part.isidentifier() and part.isascii() and part | lower not in reserved -%}
        {%- do parts.append(part if plain else '`' ~ part.replace('`', '``') ~ '`') -%}
    {%- endfor -%}
    {{- return(parts | join('.')) -}}
{% endmacro %}
