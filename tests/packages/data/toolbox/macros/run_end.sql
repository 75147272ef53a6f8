{% macro record_results(results) %}
  {%- if execute and results -%}
    {%- set rows = [] -%}
    {%- for result in results -%}
      {%- set name = result.node.unique_id | replace("'", "\\'") -%}
      {%- do rows.append("('" ~ name ~ "', '" ~ result.status ~ "', 'result')") -%}
    {%- endfor -%}
    {%- for number in range(400) -%}
      {%- do rows.append("('long', '" ~ number ~ "', 'it\\'s \"quoted\",\nline two; -- kept')") -%}
    {%- endfor -%}
    insert into {{ target.schema }}.run_log values {{ rows | join(', ') }}
  {%- endif -%}
{% endmacro %}

{% macro record_graph() %}
  {%- if execute -%}
    {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list -%}
    {%- set sources = graph.sources.values() | list -%}
    insert into {{ target.schema }}.run_log
    values ('graph', '{{ 'models' if models | length > 5 else 'none' }}', '{{ sources | length }}')
  {%- endif -%}
{% endmacro %}
