-- midflight: phase expand
alter type mood add value 'hectic';
