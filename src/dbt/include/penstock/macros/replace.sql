{#- Put a query's rows in the place of whatever stands at a name. The old rows stay until the new ones
    are there: in one commit where the format can, else built aside and then swapped in. -#}
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

{#- Only a model's plan is kept: a seed's rows travel in its statement, a snapshot's query is its own test. -#}
{% macro penstock_keep_plan(select) %}
  {%- if model.resource_type == 'model' -%}
    {%- do adapter.keep_plan(model, select) -%}
  {%- endif -%}
{% endmacro %}

{#- How a Python model does the same, in its own session (see python.sql). -#}
{% macro penstock_python_replacement(existing, target) %}
  {%- set write = {'mode': 'replace', 'target': target.render(), 'view': make_temp_relation(target).render()} -%}
  {%- do write.update({'exists': existing is not none}) -%}
  {%- if existing and existing.is_view -%}
    {%- do write.update({'drop': 'view'}) -%}
  {%- endif -%}
  {{ return(write) }}
{% endmacro %}

{#- Whether a replacement must be built aside. A format that can't replace in one commit is built aside
    the first time too: a CREATE TABLE AS that fails leaves its folder, and the next one refuses it. -#}
{% macro penstock_swaps(existing) %}
  {%- set format = penstock_format() -%}
  {%- if existing is none -%}
    {{ return(not format.atomic) }}
  {%- endif -%}
  {%- if not format.atomic or not existing.is_table or not adapter.has_format(existing, format) -%}
    {{ return(true) }}
  {%- endif -%}
  {#- Delta refuses to replace a clustered table by a partitioned one. -#}
  {{ return(format.clusters and config.get('partition_by') is not none and penstock_is_clustered(existing)) }}
{% endmacro %}

{% macro penstock_is_clustered(relation) %}
  {%- set detail = run_query('describe detail ' ~ relation) -%}
  {%- set columns = detail.rows[0].get('clusteringColumns') if detail.rows else none -%}
  {{ return(columns is not none and (columns | string | trim) not in ['', '[]']) }}
{% endmacro %}

{#- Where the new rows go: a table replaced in place keeps its folder; a swapped one takes the node's own
    folder, or the one beside it when the old table's files lie there. -#}
{% macro penstock_location(existing, aside=false) %}
  {%- set own = penstock_own_location() -%}
  {%- if own is none or existing is none or not existing.is_table -%}
    {{ return(own) }}
  {%- endif -%}
  {%- set found = namespace(location=none) -%}
  {%- for row in adapter.describe_extended(existing).rows if row[0] == 'Location' -%}
    {%- set found.location = row[1] -%}
  {%- endfor -%}
  {%- if not aside -%}
    {{ return(found.location or own) }}
  {%- endif -%}
  {%- set taken = (found.location or '').rstrip('/').endswith('/' ~ model['alias']) -%}
  {{ return(own ~ '__dbt_aside' if taken else own) }}
{% endmacro %}

{% macro penstock_aside(target) %}
  {{ return(adapter.as_table(target.incorporate(path={'identifier': target.identifier ~ '__dbt_aside'}), none)) }}
{% endmacro %}

{#- What a killed run left. -#}
{% macro penstock_clear_aside(aside) %}
  {%- set leftover = load_cached_relation(aside) -%}
  {%- if leftover -%}
    {%- do adapter.drop_relation(leftover) -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_swap(existing, target, select, columns) %}
  {%- set aside = penstock_aside(target) -%}
  {%- set location = penstock_location(existing, aside=true) -%}
  {%- do penstock_clear_aside(aside) -%}
  {%- if penstock_format().atomic -%}
    {%- call statement('main') -%}
      {{ penstock_create_table_as(aside, select, location, columns) }}
    {%- endcall -%}
  {%- else -%}
    {%- do penstock_fill_aside(aside, select, location, columns) -%}
  {%- endif -%}
  {%- if existing -%}
    {%- do adapter.drop_relation(existing) -%}
  {%- endif -%}
  {%- call statement('swap') -%}
    alter table {{ aside }} rename to {{ target }}
  {%- endcall -%}
{% endmacro %}

{#- The table first, then its rows: a run that dies in between leaves a table that the next one can drop. -#}
{% macro penstock_fill_aside(aside, select, location, columns) %}
  {%- set partitions = penstock_names('partition_by') | map('lower') | list -%}
  {%- set ordered = [] -%}
  {%- for column in columns if column.name | lower not in partitions -%}
    {%- do ordered.append(column.quoted) -%}
  {%- endfor -%}
  {%- for name in partitions -%}
    {%- do ordered.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {%- call statement('create_aside') -%}
    create table {{ aside }} (
      {%- for column in columns %}
      {{ column.quoted }} {{ column.data_type }}{{ ',' if not loop.last }}
      {%- endfor %}
    )
    {{ penstock_table_clauses(location, columns) }}
  {%- endcall -%}
  {%- set sql -%}
    insert overwrite {{ aside }}
    {{ penstock_arranged('select ' ~ ordered | join(', ') ~ ' from (\n' ~ select ~ '\n) as DBT_INTERNAL_SOURCE') }}
  {%- endset -%}
  {{ write(sql) }}
  {%- do store_result('main', response=adapter.fill_aside(sql, aside)) -%}
{% endmacro %}
