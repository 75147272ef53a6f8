{% macro penstock__physical_test(model, test, arguments) %}
    {%- set messages = [] -%}
    {%- if execute and flags.WHICH in ['test', 'build', 'retry'] -%}
        {%- set messages = adapter.physical_failures(model, test, arguments) -%}
    {%- endif -%}
    {%- for message in messages -%}
        {%- do log(test ~ ': ' ~ message, info=True) -%}
    {%- endfor -%}
    {%- if messages %}
    select failure
    from values
        {%- for message in messages %}
            ('{{ message.replace('\\', '\\\\').replace("'", "\\'") }}'){{ ',' if not loop.last }}
        {%- endfor %}
        as failures (failure)
    {%- else %}
    {#- The adapter knows the result of this query and does not send it to the server. #}
    select '' as failure where false
    {%- endif %}
{% endmacro %}
