{#- A seed is written in one commit, so the table keeps its old rows until it has the new rows. The statement contains
    the rows (see seeds.py), so dbt and the server need no common file system. If the table was already loaded from the
    same file with the same configuration, it is left unchanged. -#}
{% materialization seed, adapter='penstock' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = adapter.as_table(this, config.get('file_format')) -%}
  {%- set full_refresh = should_full_refresh() -%}
  {%- if existing and existing.is_view -%}
    {%- do exceptions.raise_compiler_error("Cannot seed to '{}', it is a view".format(existing.render())) -%}
  {%- endif -%}
  {%- set seed = adapter.read_seed(model, flags.EMPTY) -%}
  {%- do store_result('agate_table', response='OK', agate_table=seed.preview) -%}

  {{ run_hooks(pre_hooks) }}

  {%- if existing and not full_refresh and adapter.seed_is_unchanged(existing, model, flags.EMPTY) -%}
    {%- do store_result('main', response=adapter.interval_response('unchanged')) -%}
  {%- else -%}
    {%- do penstock_load_seed(existing, target, seed) -%}
    {%- set code = 'CREATE' if full_refresh else 'INSERT' -%}
    {%- call noop_statement('main', code ~ ' ' ~ seed.count, code, seed.count) -%}
      {{ penstock_create_table_as(target, penstock_seed_select(seed, ['-- ' ~ seed.count ~ ' rows']), none, seed.columns) }}
    {%- endcall -%}
    {%- do persist_docs(target, model) -%}
  {%- endif -%}

  {%- do apply_grants(target, config.get('grants'), should_revoke(existing, full_refresh)) -%}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Write the rows of a seed. If the rows do not fit in one statement, first send parts of them as temporary views. -#}
{% macro penstock_load_seed(existing, target, seed) %}
  {%- set swaps = penstock_swaps(existing) -%}
  {%- if seed.parts | length < 2 and not swaps -%}
    {%- set sql = penstock_create_table_as(target, penstock_seed_select(seed, seed.parts), penstock_location(existing), seed.columns) -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return('') }}
  {%- endif -%}
  {%- set views = [] -%}
  {%- for part in seed.parts -%}
    {%- set view = make_temp_relation(target, '__dbt_tmp_' ~ loop.index) -%}
    {%- do adapter.add_query(create_temporary_view(view, part), abridge_sql_log=True) -%}
    {%- do views.append('select r from ' ~ view) -%}
  {%- endfor -%}
  {%- set select = penstock_seed_select(seed, views) -%}
  {%- if swaps -%}
    {%- do penstock_swap(existing, target, select, seed.columns) -%}
  {%- else -%}
    {%- do adapter.add_query(penstock_create_table_as(target, select, penstock_location(existing), seed.columns)) -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_seed_select(seed, queries) %}
  {#- Column names are quoted unless `quote_columns` is false. -#}
  {%- set quoted = config.get('quote_columns') is not sameas false -%}
  {%- set no_rows = 'select cast(null as array<string>) as r where false' -%}
select
  {%- for name in seed.names %}
  cast(r[{{ loop.index0 }}] as {{ seed.types[loop.index0] }}) as {{ adapter.quote(name) if quoted else name }}{{ ',' if not loop.last }}
  {%- endfor %}
from (
{{ (queries or [no_rows]) | join('\nunion all\n') }}
)
{%- endmacro %}
