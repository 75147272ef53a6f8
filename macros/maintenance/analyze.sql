{% macro analyze(model=none) %}
    {%- if execute -%}
        {%- for node in penstock__maintained('analyze', model, 'statistics in the catalog') -%}
            {%- set table = penstock__table_of(node) -%}
            {%- do run_query('analyze table ' ~ table ~ ' compute statistics') -%}
            {%- do run_query('analyze table ' ~ table ~ ' compute statistics for all columns') -%}
            {%- for row in run_query('describe table extended ' ~ table).rows if row[0] == 'Statistics' -%}
                {%- do log('analyze ' ~ table ~ ': ' ~ row[1], info=true) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
