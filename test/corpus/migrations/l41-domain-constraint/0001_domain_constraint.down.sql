alter domain price drop constraint positive;
