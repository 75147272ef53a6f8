{% macro hints() %}
    {%- set allowed = ['broadcast', 'shuffle_hash', 'rebalance', 'repartition'] -%}
    {%- if not varargs -%}
        {{ exceptions.raise_compiler_error(
            "hints() needs at least one hint and was given none; write hints(broadcast('name'))"
        ) }}
    {%- endif -%}
    {%- for hint in varargs -%}
        {%- if hint is not string or hint.split('(')[0] not in allowed or not hint.endswith(')') -%}
            {{ exceptions.raise_compiler_error(
                "hints() takes what " ~ allowed | join('(), ') ~ "() return and was given '" ~ hint
                ~ "'; write hints(broadcast('name'))"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{- return('/*+ ' ~ varargs | join(', ') ~ ' */') -}}
{% endmacro %}
