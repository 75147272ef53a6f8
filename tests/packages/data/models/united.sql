{{ toolbox.stacked([ref('people'), ref('people_copy')]) }}
