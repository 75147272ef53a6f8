{% macro valid_services(services, advice) %}
    {%- set needed = 'a list of services out of ' ~ quality_services() | join(', ') -%}
    {%- if services is string or services is mapping -%}
        {{ refuse(needed, shown(services), advice) }}
    {%- endif -%}
    {%- for service in services if service not in quality_services() -%}
        {{ refuse(needed, shown(service), advice) }}
    {%- endfor -%}
    {{- return(services) -}}
{% endmacro %}
