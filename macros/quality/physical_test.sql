{% macro physical_test(model, test, arguments) %}
    {%- set messages = [] -%}
    {%- if execute and flags.WHICH in ['test', 'build', 'retry'] -%}
        {%- set messages = adapter.physical_failures(model, test, arguments) -%}
    {%- endif -%}
    {%- for message in messages -%}
        {%- do log(test ~ ': ' ~ message, info=True) -%}
    {%- endfor -%}
    select failure
    from values
        {%- for message in messages or [''] %}
            ('{{ message.replace('\\', '\\\\').replace("'", "\\'") }}'){{ ',' if not loop.last }}
        {%- endfor %}
        as failures (failure)
    where failure <> ''
{% endmacro %}
