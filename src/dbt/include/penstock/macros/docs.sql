{#- Write descriptions to the catalog. A description that the catalog already has needs no statement. -#}
{% macro penstock__persist_docs(relation, model, for_relation, for_columns) %}
  {%- set of_table = for_relation and config.persist_relation_docs() and model.description and not relation.is_view -%}
  {%- set of_columns = for_columns and config.persist_column_docs() and model.columns -%}
  {%- if not of_table and not of_columns -%}
    {{ return('') }}
  {%- endif -%}
  {%- set columns = adapter.get_columns_in_relation(relation) -%}
  {%- if of_table and columns and (columns[0].table_comment or '') != model.description -%}
    {%- do run_query('comment on table ' ~ relation.render() ~ ' is ' ~ penstock_literal(model.description)) -%}
  {%- endif -%}
  {%- if of_columns -%}
    {%- set documented = validate_doc_columns(relation, model.columns, columns | map(attribute='name') | list) -%}
    {%- set present, changed = {}, {} -%}
    {%- for column in columns -%}
      {%- do present.update({column.name | lower: column.column_comment or ''}) -%}
    {%- endfor -%}
    {%- for name, column in documented.items() if (column['description'] or '') != present[name | lower] -%}
      {%- do changed.update({name: column}) -%}
    {%- endfor -%}
    {%- do alter_column_comment(relation, changed) -%}
  {%- endif -%}
{% endmacro %}

{#- Write the comments of columns, in one statement if the format supports it. -#}
{% macro penstock__alter_column_comment(relation, column_dict) %}
  {%- set changes = [] -%}
  {%- for name, column in column_dict.items() -%}
    {%- do changes.append(adapter.quote(name) ~ ' comment ' ~ penstock_literal(column['description'] or '')) -%}
  {%- endfor -%}
  {%- if penstock_format().atomic -%}
    {%- do run_query('alter table ' ~ relation.render() ~ ' alter column ' ~ changes | join(', ')) if changes -%}
  {%- else -%}
    {%- for change in changes -%}
      {%- do run_query('alter table ' ~ relation.render() ~ ' change column ' ~ change) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{#- Return a column of CREATE VIEW with the column's comment. -#}
{% macro get_column_comment_sql(column_name, column_dict) %}
  {%- set described = namespace(text='') -%}
  {%- for name, column in column_dict.items() if name | lower == column_name | lower -%}
    {%- set described.text = column['description'] or '' -%}
  {%- endfor -%}
  {{ adapter.quote(column_name) }}{{ ' comment ' ~ penstock_literal(described.text) if described.text }}
{%- endmacro %}
