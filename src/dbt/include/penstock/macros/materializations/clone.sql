{#- A clone is a table that shares the files of another table. If the node's table format does not support clones, or
    the other relation is not a table in this format, the materialization creates a view of the other relation instead.
    -#}
{% materialization clone, adapter='penstock' %}
  {%- if not defer_relation -%}
    {{ log('No relation found in state manifest for ' ~ model.unique_id, info=True) }}
    {{ return({'relations': []}) }}
  {%- endif -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- if existing and not flags.FULL_REFRESH -%}
    {{ log('Relation ' ~ existing ~ ' already exists', info=True) }}
    {{ return({'relations': []}) }}
  {%- endif -%}

  {%- set source = load_cached_relation(defer_relation) -%}
  {%- set format = penstock_format() -%}
  {%- if not (format.clones and can_clone_table() and source and source.is_table and adapter.has_format(source, format)) -%}
    {%- set make_view = context.get('materialization_view_penstock') or context['materialization_view_spark'] -%}
    {{ return(make_view()) }}
  {%- endif -%}

  {%- set target = adapter.as_table(this, format.name) -%}
  {%- if target.render() == defer_relation.render() -%}
    {{ log('Target relation and defer relation are the same, skipping clone for relation: ' ~ target, info=True) }}
    {{ return({'relations': [target]}) }}
  {%- endif -%}
  {%- if existing -%}
    {#- Delta does not clone into a table with rows. So create the clone under a temporary name, drop the existing
        table, and rename the clone. -#}
    {%- set temporary = penstock_aside(target) -%}
    {%- do penstock_clear_aside(temporary) -%}
    {%- call statement('main') -%}
      {{ create_or_replace_clone(temporary, defer_relation) }}
    {%- endcall -%}
    {%- do adapter.drop_relation(existing) -%}
    {%- call statement('swap') -%}
      alter table {{ temporary }} rename to {{ adapter.name_in_catalog(target) }}
    {%- endcall -%}
  {%- else -%}
    {%- call statement('main') -%}
      {{ create_or_replace_clone(target, defer_relation) }}
    {%- endcall -%}
  {%- endif -%}
  {%- do apply_grants(target, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) -%}
  {%- do persist_docs(target, model) -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
