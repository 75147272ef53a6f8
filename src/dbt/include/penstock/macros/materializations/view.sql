{#- Drop a table that a view replaces. First, create the view under a temporary name, to check that Spark can create the
    view. If Spark cannot, the table stays. -#}
{% macro penstock__handle_existing_table(full_refresh, old_relation) %}
  {%- set temporary = this.incorporate(path={'identifier': this.identifier ~ '__dbt_aside'}, type='view') -%}
  {%- do penstock_clear_aside(temporary) -%}
  {%- call statement('create_aside') -%}
    {{ get_create_view_as_sql(temporary, model['compiled_code']) }}
  {%- endcall -%}
  {%- call statement('drop_aside') -%}
    drop view {{ temporary }}
  {%- endcall -%}
  {%- do adapter.drop_relation(old_relation) -%}
{% endmacro %}

{#- To replace a view, Spark drops the view and creates it again, and queries in between fail. So a view whose
    definition is unchanged is not replaced. -#}
{% materialization view, adapter='penstock' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- if existing is none or not existing.is_view or not adapter.has_definition(existing, penstock_definition(sql, penstock_checked_view(sql).columns)) -%}
    {{ return(create_or_replace_view()) }}
  {%- endif -%}
  {{ run_hooks(pre_hooks) }}
  {%- do store_result('main', response=adapter.interval_response('unchanged')) -%}
  {%- do apply_grants(existing, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) -%}
  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [existing]}) }}
{% endmaterialization %}

{% macro penstock__create_view_as(relation, sql) -%}
  {%- set checked = penstock_checked_view(sql) -%}
  {%- set names = checked.columns | map(attribute='name') | list -%}
  create or replace view {{ relation }}
  {%- if config.persist_column_docs() %}
  (
    {{ get_persist_docs_column_list(adapter.matched(model.columns, names), names) }}
  )
  {%- endif %}
  {{ comment_clause() }}
  tblproperties ('penstock.definition' = '{{ penstock_definition(sql, checked.columns) }}')
  as
    {{ checked.sql }}
{%- endmacro %}

{#- Return a view's query with columns that a table can store, so that views and tables have the same types. -#}
{% macro penstock_checked_view(sql) %}
  {%- if config.get('contract', {}).enforced -%}
    {%- do penstock_check_declaration() -%}
  {%- endif -%}
  {{ return(adapter.checked_query(sql, model)) }}
{% endmacro %}

{#- Return a hash of a view's definition. The definition consists of the view's query, the query's current columns, and
    the view's comments. The columns are included because the columns of `*` depend on the query's inputs. -#}
{% macro penstock_definition(sql, columns) %}
  {%- set parts = [sql | string, comment_clause() | string] -%}
  {%- set described = adapter.matched(model.columns, columns | map(attribute='name')) -%}
  {%- for column in columns -%}
    {%- do parts.append(column.name ~ ' ' ~ column.dtype) -%}
    {%- if config.persist_column_docs() -%}
      {%- do parts.append(described.get(column.name, {}).get('description', '')) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(local_md5(parts | join('\n'))) }}
{% endmacro %}
