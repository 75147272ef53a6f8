{% macro compact(model=none, where=none) %}
    {%- if execute -%}
        {%- for node in penstock__maintained('compact', model, 'small or old files') -%}
            {%- if penstock__format_of(node).procedures -%}
                {%- do penstock__rewritten(node, where) -%}
            {%- else -%}
                {%- do penstock__optimized('compact', node, where, none) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
