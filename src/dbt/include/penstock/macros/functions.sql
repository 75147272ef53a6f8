{#- This file creates the functions of a dbt project in Spark SQL. The body of a function is a query or an expression,
    and the function's arguments may have default values. -#}
{% macro penstock__scalar_function_create_replace_signature_sql(target_relation) %}
  CREATE OR REPLACE FUNCTION {{ target_relation.render() }} ({{ formatted_scalar_function_args_sql() }})
  RETURNS {{ model.returns.data_type }}
  {{ scalar_function_volatility_sql() }}
{%- endmacro %}

{% macro penstock__formatted_scalar_function_args_sql() %}
  {%- for argument in model.arguments -%}
    {{ argument.name }} {{ argument.data_type }}
    {%- if argument.default_value is defined and argument.default_value is not none %} DEFAULT {{ argument.default_value }}{% endif -%}
    {{ ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{% macro penstock__scalar_function_body_sql() %}
  RETURN {{ model.compiled_code }}
{%- endmacro %}

{#- A function of Spark is deterministic or non-deterministic. For any other volatility, dbt warns that it is not
    supported. -#}
{% macro penstock__scalar_function_volatility_sql() %}
  {%- set volatility = model.config.get('volatility') -%}
  {%- if volatility == 'deterministic' -%}
    DETERMINISTIC
  {%- elif volatility == 'non-deterministic' -%}
    NOT DETERMINISTIC
  {%- elif volatility is not none -%}
    {%- do unsupported_volatility_warning(volatility) -%}
  {%- endif -%}
{% endmacro %}
