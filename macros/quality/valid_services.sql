{% macro valid_services(services, advice) %}
    {%- set needed = 'a list of services out of ' ~ quality_services() | join(', ') -%}
    {%- if services is string or services is mapping -%}
        {{ penstock__refuse(needed, penstock__shown(services), advice) }}
    {%- endif -%}
    {%- for service in services if service not in quality_services() -%}
        {{ penstock__refuse(needed, penstock__shown(service), advice) }}
    {%- endfor -%}
    {{- return(services) -}}
{% endmacro %}
