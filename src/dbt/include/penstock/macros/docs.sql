{#- Comments of columns: all of them in one statement where the format takes that. -#}
{% macro penstock__alter_column_comment(relation, column_dict) %}
  {%- set changes = [] -%}
  {%- for name, column in column_dict.items() -%}
    {%- set quoted = adapter.quote(name) if column['quote'] else name -%}
    {%- do changes.append(quoted ~ ' comment ' ~ penstock_literal(column['description'] or '')) -%}
  {%- endfor -%}
  {%- if penstock_format().atomic -%}
    {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ changes | join(', ')) if changes -%}
  {%- else -%}
    {%- for change in changes -%}
      {%- do run_query('alter table ' ~ relation ~ ' change column ' ~ change) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
