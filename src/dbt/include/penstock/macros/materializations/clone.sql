{#- A clone: where the format has one, a table that shares its source's files; else a view of it. -#}
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
    {#- Delta clones into no table that has rows: the clone is made aside, then swapped in. -#}
    {%- set aside = penstock_aside(target) -%}
    {%- do penstock_clear_aside(aside) -%}
    {%- call statement('main') -%}
      {{ create_or_replace_clone(aside, defer_relation) }}
    {%- endcall -%}
    {%- do adapter.drop_relation(existing) -%}
    {%- call statement('swap') -%}
      alter table {{ aside }} rename to {{ target }}
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
