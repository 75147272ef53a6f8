{#- Runs a statement with temporary session settings, restores the old ones, and returns the rows. -#}
{% macro penstock__in_session(settings, sql) %}
    {%- set before = {} -%}
    {%- for key, value in settings.items() -%}
        {%- do before.update({key: run_query('set ' ~ key).rows[0][1]}) -%}
        {%- do run_query('set ' ~ key ~ '=' ~ value) -%}
    {%- endfor -%}
    {%- set rows = run_query(sql) -%}
    {%- for key, value in before.items() -%}
        {%- do run_query('reset ' ~ key if value == '<undefined>' else 'set ' ~ key ~ '=' ~ value) -%}
    {%- endfor -%}
    {{- return(rows) -}}
{% endmacro %}
