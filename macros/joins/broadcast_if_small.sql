{% macro broadcast_if_small(relation, alias, limit=none) %}
    {%- set hint = penstock__join_hint('broadcast', [alias]) -%}
    {#- While dbt parses, tables can't be looked up. -#}
    {%- if not execute -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set most = var('broadcast_limit_mb', 10) if limit is none else limit -%}
    {%- if most is not number or most is boolean or most <= 0 -%}
        {{- penstock__refuse(
            'broadcast_if_small() takes a limit above 0, in MB', penstock__shown(most),
            'write a number, or leave limit out and set the variable broadcast_limit_mb'
        ) -}}
    {%- endif -%}
    {%- if relation is string or relation is none or relation.identifier is not defined -%}
        {{- penstock__refuse(
            'broadcast_if_small() takes a relation', penstock__shown(relation),
            "write broadcast_if_small(ref('name'), '" ~ alias ~ "')"
        ) -}}
    {%- endif -%}
    {%- set bytes = adapter.table_bytes(relation) -%}
    {%- set size = 'of unknown size' if bytes is none else '%.2f MB' | format(bytes / 1048576) -%}
    {%- set small = bytes is not none and bytes <= most * 1048576 -%}
    {%- do log(
        relation.schema ~ '.' ~ relation.identifier ~ ' is ' ~ size ~ ', the limit ' ~ most ~ ' MB: '
        ~ (hint if small else 'no broadcast of ' ~ alias), info=true
    ) -%}
    {{- return(hint if small else none) -}}
{% endmacro %}
