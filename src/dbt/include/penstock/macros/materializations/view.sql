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
