{#- Returns the relation of a node of dbt's graph. -#}
{% macro penstock__table_of(node) %}
    {{- return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -}}
{% endmacro %}
