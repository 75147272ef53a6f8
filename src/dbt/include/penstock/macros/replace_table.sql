{#- Replace a table or view with a table of a query's rows. The old rows stay until the new rows are complete. If the
    format supports atomic replacement, the write is one commit. Otherwise, the rows are written to a temporary table,
    which is then renamed. -#}
{% macro penstock_replace(existing, target, compiled_code) %}
  {%- set checked = penstock_checked(compiled_code) -%}
  {%- do penstock_keep_plan(penstock_arranged(checked.sql)) -%}
  {%- if penstock_swaps(existing) -%}
    {%- do penstock_swap(existing, target, checked.sql, checked.columns) -%}
  {%- else -%}
    {%- set location = penstock_location(existing) -%}
    {%- call statement('main') -%}
      {{ penstock_create_table_as(target, checked.sql, location, checked.columns) }}
    {%- endcall -%}
  {%- endif -%}
{% endmacro %}

{#- Capture the plan of a model. Seeds and snapshots need no captured plan, since they have no plan tests. -#}
{% macro penstock_keep_plan(select) %}
  {%- if model.resource_type == 'model' -%}
    {%- do adapter.keep_plan(model, select) -%}
  {%- endif -%}
{% endmacro %}

{#- Return a dictionary that describes how the rows of a Python model replace the model's table. The model runs in its
    own session, which writes the rows (see python.sql). -#}
{% macro penstock_python_replacement(existing, target) %}
  {%- set write = {'mode': 'replace', 'target': target.render(), 'view': make_temp_relation(target).render()} -%}
  {%- do write.update({'exists': existing is not none}) -%}
  {%- if existing and existing.is_view -%}
    {%- do write.update({'drop': 'view'}) -%}
  {%- endif -%}
  {{ return(write) }}
{% endmacro %}

{#- Return whether a replacement needs a temporary table. A format without atomic replacement needs a temporary table
    for the first write too. Otherwise a failed CREATE TABLE AS would leave its folder behind, and the next CREATE
    TABLE AS would fail because of that folder. -#}
{% macro penstock_swaps(existing) %}
  {%- set format = penstock_format() -%}
  {%- if existing is none -%}
    {{ return(not format.atomic) }}
  {%- endif -%}
  {%- if not format.atomic or not existing.is_table or not adapter.has_format(existing, format) -%}
    {{ return(true) }}
  {%- endif -%}
  {#- Delta does not replace a clustered table with a partitioned table, so such a replacement needs a temporary table.
      -#}
  {{ return(format.clusters and config.get('partition_by') is not none and penstock_is_clustered(existing)) }}
{% endmacro %}

{% macro penstock_is_clustered(relation) %}
  {%- set detail = run_query('describe detail ' ~ relation) -%}
  {%- set columns = detail.rows[0].get('clusteringColumns') if detail.rows else none -%}
  {{ return(columns is not none and (columns | string | trim) not in ['', '[]']) }}
{% endmacro %}

{#- Return the folder for the new rows. A table that is replaced in one commit keeps its folder. A temporary table uses
    the node's folder. If the old table already uses the node's folder, the temporary table uses `…__dbt_aside`. -#}
{% macro penstock_location(existing, temporary=false) %}
  {%- set own = penstock_own_location() -%}
  {%- if own is none or existing is none or not existing.is_table -%}
    {{ return(own) }}
  {%- endif -%}
  {%- set old = namespace(location=none) -%}
  {%- for row in adapter.describe_extended(existing).rows if row[0] == 'Location' -%}
    {%- set old.location = row[1] -%}
  {%- endfor -%}
  {%- if not temporary -%}
    {{ return(old.location or own) }}
  {%- endif -%}
  {%- set taken = (old.location or '').rstrip('/').endswith('/' ~ model['alias']) -%}
  {{ return(own ~ '__dbt_aside' if taken else own) }}
{% endmacro %}

{% macro penstock_aside(target) %}
  {{ return(adapter.as_table(target.incorporate(path={'identifier': target.identifier ~ '__dbt_aside'}), none)) }}
{% endmacro %}

{#- Drop a temporary table that a killed run left behind. -#}
{% macro penstock_clear_aside(temporary) %}
  {%- set leftover = load_cached_relation(temporary) -%}
  {%- if leftover -%}
    {%- do adapter.drop_relation(leftover) -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_swap(existing, target, select, columns) %}
  {%- set temporary = penstock_aside(target) -%}
  {%- set location = penstock_location(existing, temporary=true) -%}
  {%- do penstock_clear_aside(temporary) -%}
  {%- if penstock_format().atomic -%}
    {%- call statement('main') -%}
      {{ penstock_create_table_as(temporary, select, location, columns) }}
    {%- endcall -%}
  {%- else -%}
    {%- do penstock_fill_aside(temporary, select, location, columns) -%}
  {%- endif -%}
  {%- if existing -%}
    {%- do adapter.drop_relation(existing) -%}
  {%- endif -%}
  {%- call statement('swap') -%}
    alter table {{ temporary }} rename to {{ adapter.name_in_catalog(target) }}
  {%- endcall -%}
{% endmacro %}

{#- Create an empty temporary table, and then insert its rows. If the run is killed in between, the catalog has the
    table, so the next run can drop it. -#}
{% macro penstock_fill_aside(temporary, select, location, columns) %}
  {%- set partitions = penstock_names('partition_by') | map('lower') | list -%}
  {%- set ordered = [] -%}
  {%- for column in columns if column.name | lower not in partitions -%}
    {%- do ordered.append(column.quoted) -%}
  {%- endfor -%}
  {%- for name in partitions -%}
    {%- do ordered.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {%- call statement('create_aside') -%}
    create table {{ temporary }} (
      {%- for column in columns %}
      {{ column.quoted }} {{ column.data_type }}{{ ',' if not loop.last }}
      {%- endfor %}
    )
    {{ penstock_table_clauses(location, columns) }}
  {%- endcall -%}
  {%- set sql -%}
    insert overwrite {{ temporary }}
    {{ penstock_arranged('select ' ~ ordered | join(', ') ~ ' from (\n' ~ select ~ '\n) as DBT_INTERNAL_SOURCE') }}
  {%- endset -%}
  {{ write(sql) }}
  {%- do store_result('main', response=adapter.fill_aside(sql, temporary)) -%}
{% endmacro %}
