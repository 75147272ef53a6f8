{% macro compact(model=none, where=none) %}
    {%- if execute -%}
        {%- for node in penstock__maintained('compact', model, 'OPTIMIZE') -%}
            {%- do penstock__optimized('compact', node, where, none) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
