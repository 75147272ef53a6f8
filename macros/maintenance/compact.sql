{% macro compact(model=none, where=none) %}
    {%- if execute -%}
        {%- for node in maintained('compact', model, 'OPTIMIZE') -%}
            {%- do optimized('compact', node, where, none) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
