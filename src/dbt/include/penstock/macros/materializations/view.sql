{#- Before a view takes a table's name: the view is made aside first, so that one that can't be made
    leaves the table. -#}
{% macro penstock__handle_existing_table(full_refresh, old_relation) %}
  {%- set aside = this.incorporate(path={'identifier': this.identifier ~ '__dbt_aside'}, type='view') -%}
  {%- do penstock_clear_aside(aside) -%}
  {%- call statement('create_aside') -%}
    {{ get_create_view_as_sql(aside, model['compiled_code']) }}
  {%- endcall -%}
  {%- call statement('drop_aside') -%}
    drop view {{ aside }}
  {%- endcall -%}
  {%- do adapter.drop_relation(old_relation) -%}
{% endmacro %}

{#- Spark replaces a view by taking it away and making it again: between the two, whoever reads it fails. A
    view that is as it would be made stays. -#}
{% materialization view, adapter='penstock' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- if existing is none or not existing.is_view or not adapter.has_definition(existing, penstock_definition(sql)) -%}
    {{ return(create_or_replace_view()) }}
  {%- endif -%}
  {{ run_hooks(pre_hooks) }}
  {%- do store_result('main', response=adapter.interval_response('unchanged')) -%}
  {%- do apply_grants(existing, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) -%}
  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [existing]}) }}
{% endmaterialization %}

{% macro penstock__create_view_as(relation, sql) -%}
  create or replace view {{ relation }}
  {%- if config.persist_column_docs() %}
  (
    {{ get_persist_docs_column_list(model.columns, get_columns_in_query(sql)) }}
  )
  {%- endif %}
  {{ comment_clause() }}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif %}
  tblproperties ('penstock.definition' = '{{ penstock_definition(sql) }}')
  as
    {{ sql }}
{%- endmacro %}

{#- What a view is made of: its query, the columns that this has now (a star's are those of its inputs), its
    comments. -#}
{% macro penstock_definition(sql) %}
  {%- set parts = [sql | string, comment_clause() | string] -%}
  {%- for column in adapter.columns_of_query(sql) -%}
    {%- do parts.append(column.name ~ ' ' ~ column.dtype) -%}
    {%- if config.persist_column_docs() -%}
      {%- do parts.append(get_column_comment_sql(column.name, model.columns)) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(local_md5(parts | join('\n'))) }}
{% endmacro %}
